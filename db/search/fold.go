package search

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// plain maps letters that do not decompose to the letters that people type instead. The source is CLDR's
// common/transforms/Latin-ASCII.xml; the table has its letters up to U+017F that living alphabets use.
var plain = strings.NewReplacer("æ", "ae", "ð", "d", "ø", "o", "þ", "th", "đ", "d", "ħ", "h", "ı", "i",
	"ł", "l", "ŋ", "n", "œ", "oe", "ŧ", "t")

// Fold returns the form in which a search compares texts. Two texts get the same form when they differ only
// in the case of letters, by the full case folding of Unicode (ẞ, ß and ss; Σ, σ and ς), in the composition
// of characters (NFC and NFD), in the combining marks from U+0300 to U+036F (é and e), or in the letters of
// the table plain (ø and o).
//
// Use Fold only for searches. In identities such as skus, é and e are different letters. When Fold changes,
// for example because golang.org/x/text has new tables, all stored texts must be folded again: see
// docs/operations.md.
func Fold(text string) string {
	if utf8.RuneCountInString(text) == len(text) { // no letter is outside ASCII
		return strings.ToLower(text)
	}
	// The order of the steps counts. ToLower comes before cases.Fold, because for Cherokee letters cases.Fold
	// swaps the cases: it maps Ꭰ to ꭰ, and ꭰ to Ꭰ. Marks are dropped after cases.Fold, because cases.Fold
	// turns the mark U+0345 into the letter ι.
	folded := cases.Fold().String(strings.ToLower(norm.NFD.String(text)))
	return norm.NFC.String(plain.Replace(strings.Map(dropMark, folded)))
}

// dropMark returns -1 for a combining mark of the Latin, Greek and Cyrillic scripts, and any other character
// unchanged. It keeps the marks of other scripts, such as vowel signs, which have other code points.
func dropMark(r rune) rune {
	if '\u0300' <= r && r <= '\u036f' {
		return -1
	}
	return r
}
