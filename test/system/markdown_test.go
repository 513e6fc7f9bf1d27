package system_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	codeSpan     = regexp.MustCompile("`([^`\n]+)`")
	// fileName matches a code span that names a file of this repository: a folder, or a name with one of the
	// endings in the expression. below matches a path; it names a file when its first folder is in the
	// repository. built matches the result of a build, which need not exist.
	fileName = regexp.MustCompile(`^(?:[\w.*-]+/)*[\w.*-]+\.(?:go|md|yaml|yml|sql|mjs|json)$|^(?:[\w.*-]+/)+$`)
	below    = regexp.MustCompile(`^(\.?\w[\w-]*)/[\w.*/-]+$`)
	// saved matches the words before the content of a file that the reader makes.
	saved = regexp.MustCompile("(?i)\\bsave this (?:program there )?as `[^`]+`:\n")
	built = regexp.MustCompile(`^(?:bin|data|dist|sbom)/|/build/`)
)

// TestMarkdown checks that everything exists that a Markdown page names: the file and the heading of each
// relative link, and the file in each code span.
func TestMarkdown(t *testing.T) {
	root := filepath.Join("..", "..")
	var names []string // names of all files and folders, relative to the root
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		skipped := []string{".git", "node_modules", "dist"} // dist has a release, with a copy of a page
		if d.IsDir() && slices.Contains(skipped, d.Name()) {
			return filepath.SkipDir
		}
		name, err := filepath.Rel(root, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	exists := func(pattern string) bool {
		pattern = strings.TrimSuffix(pattern, "/")
		for _, name := range names {
			for rest := name; ; {
				if ok, _ := filepath.Match(pattern, rest); ok {
					return true
				}
				_, after, more := strings.Cut(rest, "/")
				if !more {
					break
				}
				rest = after
			}
		}
		return false
	}
	pages := 0
	for _, name := range names {
		if filepath.Ext(name) != ".md" {
			continue
		}
		pages++
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range markdownLink.FindAllStringSubmatch(string(content), -1) {
			target, heading, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			linked := filepath.Join(root, filepath.Dir(name), target)
			if target == "" {
				linked = filepath.Join(root, name)
			}
			if _, err := os.Stat(linked); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, m[1])
			} else if heading != "" && !slices.Contains(anchors(t, linked), heading) {
				t.Errorf("%s links to %s, a heading that does not exist", name, m[1])
			}
		}
		for _, m := range codeSpan.FindAllStringSubmatch(saved.ReplaceAllString(string(content), ""), -1) {
			folder := below.FindStringSubmatch(m[1])
			isFile := fileName.MatchString(m[1]) || folder != nil && slices.Contains(names, folder[1])
			if isFile && !built.MatchString(m[1]) && !exists(m[1]) {
				t.Errorf("%s names %s, which does not exist", name, m[1])
			}
		}
	}
	if pages < 4 {
		t.Errorf("only %d pages", pages)
	}
}

// anchors returns the anchors that GitHub makes of a page's headings.
func anchors(t *testing.T, path string) (all []string) {
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile("(?ms)^```.*?^```").ReplaceAllString(string(content), "")
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		anchor := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(anchor, " ", "-"))
	}
	return all
}

// TestNamedTests checks that every test that a page names exists.
func TestNamedTests(t *testing.T) {
	root, exists := filepath.Join("..", ".."), map[string]bool{}
	mention := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`)
	declaration := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)`)
	// The names of the tests on each page, by the path of the page.
	pages := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		skipped := strings.HasPrefix(d.Name(), ".git") || d.Name() == "node_modules" || d.Name() == "sdk"
		if d.IsDir() && skipped {
			return filepath.SkipDir
		}
		isTest, isPage := strings.HasSuffix(path, "_test.go"), filepath.Ext(path) == ".md"
		if !isTest && !isPage {
			return nil
		}
		content, err := os.ReadFile(path)
		if isTest {
			for _, m := range declaration.FindAllStringSubmatch(string(content), -1) {
				exists[m[1]] = true
			}
		} else {
			pages[path] = mention.FindAllString(string(content), -1)
		}
		return err
	})
	if n := len(pages[filepath.Join(root, "docs", "security.md")]); err != nil || n < 50 {
		t.Fatalf("%v, %d tests in docs/security.md", err, n)
	}
	for page, names := range pages {
		for _, name := range names {
			if !exists[name] {
				t.Errorf("%s names %s, which does not exist", page, name)
			}
		}
	}
}
