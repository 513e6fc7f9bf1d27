package search

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns the form in which a search compares texts. Two texts become equal when they differ only in the
// case of letters, by the full case folding of Unicode (ẞ, ß and ss; Σ, σ and ς), or in the composition of
// characters (NFC and NFD). İ becomes i. Stored texts must be folded again when Fold changes, for example
// because golang.org/x/text has new tables: see docs/operations.md.
func Fold(text string) string {
	if utf8.RuneCountInString(text) == len(text) { // no letter is outside ASCII
		return strings.ToLower(text)
	}
	// ToLower comes first, because cases.Fold only swaps the case of Cherokee letters: it maps Ꭰ to ꭰ, and ꭰ
	// to Ꭰ.
	folded := cases.Fold().String(strings.ToLower(norm.NFD.String(text)))
	return norm.NFC.String(strings.ReplaceAll(folded, "i\u0307", "i"))
}
