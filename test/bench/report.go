package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// section is a table of the report.
type section struct {
	title  string
	header []string
	rows   [][]string
}

var measured = []string{
	"operation", "clients", "who", "ops/s", "compared", "p50", "p99", "longest", "errors",
	"CPU/op of the service", "of the database", "peak memory",
}

// none is the text of a cell without a figure.
const none = "–"

// add appends a row, and prints the row to stderr at once.
func (s *section) add(cells ...string) {
	s.rows = append(s.rows, cells)
	fmt.Fprintln(os.Stderr, strings.Join(cells, " | "))
}

// measured appends the row of an operation with its figures. The parameter compared is the text of the column
// "compared", such as a ratio of two rates.
func (s *section) measured(operation string, clients int, contender, compared string, m sample) {
	memory := none
	if m.memory > 0 {
		memory = megabytes(m.memory)
	}
	s.add(
		operation, fmt.Sprint(clients), contender, fmt.Sprintf("%.0f", m.rate), compared,
		milliseconds(m.p50), milliseconds(m.p99), milliseconds(m.max), fmt.Sprint(m.errors),
		microseconds(m.service), microseconds(m.database), memory,
	)
}

// String returns the section in Markdown.
func (s section) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n| %s |\n", s.title, strings.Join(s.header, " | "))
	fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(s.header)))
	for _, row := range s.rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }
func megabytes(bytes uint64) string       { return fmt.Sprintf("%d MB", bytes/1e6) }

func microseconds(d time.Duration) string {
	if d == 0 {
		return none
	}
	return fmt.Sprintf("%d µs", d.Microseconds())
}

// The marks around the report in a page.
const (
	begin = "<!-- make bench writes what follows -->\n"
	end   = "<!-- until here -->\n"
)

// write puts a report between the marks of a page.
func write(page, report string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, hasBegin := strings.Cut(string(text), begin)
	_, after, hasEnd := strings.Cut(rest, end)
	if !hasBegin || !hasEnd {
		return fmt.Errorf("%s lacks the lines %q and %q", page, begin, end)
	}
	return os.WriteFile(page, []byte(before+begin+"\n"+report+"\n"+end+after), 0o644)
}
