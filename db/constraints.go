package db

import (
	"io/fs"
	"regexp"
	"strings"

	"gorm.io/gorm"
)

// Constraints returns the CHECKs, unique indexes and foreign keys that the migrations make (made), and the
// constraints that the database has (present). The maps have the definition of each constraint by its name,
// in a form that is the same on every engine.
func Constraints(g *gorm.DB) (made, present map[string]string, err error) {
	files, err := fs.Glob(migrations, "migrations/"+g.Name()+"/*.sql") // Glob sorts the files by version
	if err != nil {
		return nil, nil, err
	}
	made, present = map[string]string{}, map[string]string{}
	for _, file := range files {
		text, err := fs.ReadFile(migrations, file)
		if err != nil {
			return nil, nil, err
		}
		addConstraints(made, string(text))
	}
	texts, err := definitions(g)
	for _, text := range texts {
		addConstraints(present, text)
	}
	return made, present, err
}

// definitions returns the statements that would create the tables and indexes of the database.
func definitions(g *gorm.DB) (texts []string, err error) {
	if g.Name() == SQLite {
		err := g.Raw("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").Scan(&texts).Error
		return texts, err
	}
	var tables []string
	err = g.Raw(`SELECT table_name FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'`).Scan(&tables).Error
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		var name, text string
		if err := g.Raw("SHOW CREATE TABLE `"+table+"`").Row().Scan(&name, &text); err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

var (
	constraint  = regexp.MustCompile(`CONSTRAINT (\w+) (.*)`)
	uniqueIndex = regexp.MustCompile(`UNIQUE (?:KEY|INDEX) (\w+) (?:ON \w+ )?(\(.*)`)
	dropped     = regexp.MustCompile(`DROP (?:FOREIGN KEY|INDEX|CONSTRAINT|CHECK) (\w+)`)

	// added matches the parts of a definition that differ between engines: the character set of a text,
	// spaces and parentheses.
	added = regexp.MustCompile(`_utf8mb4|[() ]`)
)

// addConstraints adds the constraints in the parameter sql to the map all, and removes constraints that sql
// drops. It finds only definitions that stand on a single line.
func addConstraints(all map[string]string, sql string) {
	for line := range strings.Lines(strings.ReplaceAll(sql, "`", "")) {
		line = strings.TrimSpace(line)
		if m := dropped.FindStringSubmatch(line); m != nil {
			delete(all, m[1])
		}
		for _, kind := range []*regexp.Regexp{constraint, uniqueIndex} {
			if m := kind.FindStringSubmatch(line); m != nil {
				text := strings.ToLower(added.ReplaceAllString(definition(m[2]), ""))
				all[m[1]] = strings.ReplaceAll(text, "!=", "<>") // TiDB writes !=
			}
		}
	}
}

// definition returns the beginning of the text, up to a comma, semicolon or quote that is not in parentheses.
func definition(text string) string {
	depth := 0
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',', ';', '\'':
			if depth == 0 {
				return text[:i]
			}
		}
	}
	return text
}
