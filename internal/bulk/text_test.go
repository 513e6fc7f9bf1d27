package bulk_test

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"example.com/b2b/v2/internal/bulk"
)

// TestCheckText checks files in several encodings. The error must name the first line that is not in the
// file's encoding, and the file must be back at its position.
func TestCheckText(t *testing.T) {
	const xls = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"
	for name, c := range map[string]struct{ encoding, file, want string }{
		"UTF-8":             {"", "sku;name\nA;Größe 5 €\nB;\uFFFD\n", ""},
		"a long first part": {"", strings.Repeat("A;B\r\n", 30000) + "A;Gr\xf6\xdfe\r\n", "line 30001 is not UTF-8; if"},
		"line ends of Mac":  {"", "sku\rA\rn\xfa", "line 3 is not UTF-8; if"},
		"the last byte":     {"", "sku\nA\n\xc3", "line 3 is not UTF-8; if"},
		"UTF-16":            {"", "s\x00k\x00u\x00\n\x00", "line 1 has NUL characters; if the file is UTF-16"},
		"half a letter":     {"utf-16le", "s\x00k\x00u\x00\n\x00A", "line 2 is not utf-16"},
		"Windows-1252":      {"Windows-1252", "sku\nn\xfamina \x80\n", ""},
		"no such character": {"windows-1252", "sku\nn\xfamina\n\x81", "line 3 is not windows-1252"},
		"UTF-8 by its name": {"iso-8859-1", "sku\n\nMüller\n", "line 3 is UTF-8, as the whole file is, and not iso-8859-1; name it: encoding=utf-8"},
		"marked":            {"windows-1252", "\uFEFFMüller", ""},
		"an .xlsx":          {"", "PK\x03\x04\x14\x00\x06\x00", "save its sheet as CSV"},
		"an .xls":           {"", xls, "save its sheet as CSV"},
		"an .xls as ANSI":   {"windows-1252", xls, "save its sheet as CSV"},
		"an .xls as UTF-16": {"utf-16", xls, "save its sheet as CSV"},
	} {
		file := strings.NewReader("before " + c.file)
		_, _ = file.Seek(7, io.SeekStart)
		err := bulk.CheckText(file, c.encoding)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if left, _ := io.ReadAll(file); string(left) != c.file {
			t.Errorf("%s: the file is not where it was", name)
		}
	}
}

// TestUTF8AsWindows1252 checks UTF-8 files under the name of the encoding Windows-1252. CheckText must refuse
// a file because of a single word, unless the word makes sense in Windows-1252. Files in Windows-1252 must be
// accepted.
func TestUTF8AsWindows1252(t *testing.T) {
	words := "Müller|Größe|Straße|Übung|Österreich|Ärzte|ÄRZTE|Ölfarbe|Äpfel|café|Café|CAFÉ|École|" +
		"México|Pérez|López|García|niño|Niño|año|Oñate|informaciónes|Música|corazón|Ángel|ÁNGEL|INFORMACIÓN|Íñigo|à la carte|" +
		"Côte|Çelik|çay|maçã|São|François|Zoë|œuvre|Łódź|Dvořák|straße|20 °C|5 ± 1|m²|AcmeCo®|½ Zoll|4×5|" +
		"10 €|„Zitat“|it’s|5–6|a…|Αθήνα|Москва|العربية|東京|서울|😀"
	for word := range strings.SplitSeq(words, "|") {
		err := bulk.CheckText(strings.NewReader("sku;name\nA;B\nC;"+word+"\n"), "windows-1252")
		if err == nil || !strings.Contains(err.Error(), "line 3 is UTF-8") {
			t.Errorf("%s: %v", word, err)
		}
		// A byte that is not UTF-8 shows that the file is Windows-1252, whatever the other words are.
		if err := bulk.CheckText(strings.NewReader(word+"\nM\xfcller\n"), "iso-8859-1"); err != nil &&
			strings.Contains(err.Error(), "is UTF-8") {
			t.Errorf("%s: %v", word, err)
		}
	}
	for _, text := range []string{
		"NESCAFÉ®", "CAFÉ™ 1", "CAFÉ’s", "“CAFÉ” and «CAFÉ»", "CAFÉ…", "CAFÉ…und", "NESCAFÉ®mini", "IRMÃ®", "LÃ…", "ROMÃ’s",
		"É\u00a0uma", "Spaß®", "Fuß…", "M10×½", "5 mm×½\"", "Ø½ Zoll", "Ø¼", "5Å±1", "PÂTÉ·X", "Ñ°", "café…\u00a0suite", "né…",
		"mañana", "MÜLLER", "ÉTÉ", "TÕŽ", "Þór", "Äö", "10 €", "½", "£5", "20 °C",
	} {
		file, err := charmap.Windows1252.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := bulk.CheckText(strings.NewReader(file), "windows-1252"); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestCheckTextFindsAll checks random bytes in a random encoding. A file that CheckText accepts must have no
// broken character.
func TestCheckTextFindsAll(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		file := rapid.StringOf(rapid.SampledFrom([]rune("aé€😀\n\r"))).Draw(r, "text")
		at := rapid.IntRange(0, len(file)).Draw(r, "at")
		broken := rapid.SampledFrom([]string{"", "\x80", "\xc3", "\xf0\x9f", "\xff"}).Draw(r, "bytes")
		file = file[:at] + broken + file[at:]
		encoding := rapid.SampledFrom(bulk.Encodings()).Draw(r, "encoding")
		if bulk.CheckText(strings.NewReader(file), encoding) != nil {
			return
		}
		text := bufio.NewReader(bulk.OpenText(strings.NewReader(file), encoding))
		for {
			c, size, err := text.ReadRune()
			if err != nil {
				return
			}
			if c == '\uFFFD' && (size == 1 || encoding != "utf-8") {
				r.Fatalf("%q in %s has a broken character", file, encoding)
			}
		}
	})
}
