package customers_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/customers"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/customersapi"
)

// imported sends a file and returns the result of each row, and the summary as the last element.
func imported(t *testing.T, url, media, file string) (all []string) {
	t.Helper()
	status, body, _ := webtest.Do(t, "POST", url, file, "Content-Type", media)
	if status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	for text := range bytes.Lines(body) {
		var l contract.ImportLine
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatal(err)
		}
		switch {
		case l.Summary != nil:
			s := l.Summary
			all = append(all, fmt.Sprintf("%d created, %d updated, %d unchanged, %d refused",
				s.Created, s.Updated, s.Unchanged, s.Refused))
		case l.Code != nil && l.Details != nil:
			all = append(all, fmt.Sprint(*l.Row, " ", *l.Code, " ", (*l.Details)[0].Field))
		default:
			all = append(all, fmt.Sprint(*l.Row, " ", *l.Result))
		}
	}
	return all
}

func wantLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestImportCustomers(t *testing.T) {
	const csvText, ndjson = "text/csv", "application/x-ndjson"
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		url := base + "/customers/import"
		export := func() string {
			_, body, _ := webtest.Do(t, "GET", base+"/customers/export", "")
			return string(body)
		}
		events := func() (n int64) {
			g.Table("events").Count(&n)
			return n
		}
		gone := create(t, c, "Gone", "gone@example.com")
		if res, _ := c.DeleteCustomerWithResponse(ctx, gone.ID, nil); res.JSON200 == nil {
			t.Fatalf("%s", res.Body)
		}
		old := create(t, c, "Old", "Old@example.com")

		t.Run("csv", func(t *testing.T) {
			file := "email,name,phone,external_ref\n" +
				" OLD@example.com,,+1-555,C-1\n" +
				"new@example.com,New,,C-2\n" +
				"gone@example.com,Back,,\n" +
				"NEW@example.com,Twice,,\n" +
				"third@example.com,Third,,C-2\n" +
				"nobody@example.com,,,\n" +
				"no email,X,,\n"
			want := []string{
				"2 updated", "3 created", "4 created", "5 validation_failed /email",
				"6 validation_failed /external_ref", "7 validation_failed /name",
				"8 validation_failed /email", "2 created, 1 updated, 0 unchanged, 4 refused",
			}
			before, happened := export(), events()
			wantLines(t, imported(t, url+"?dry_run=true", csvText, file), want...)
			if export() != before || events() != happened {
				t.Errorf("a dry run changed something: %s", export())
			}
			wantLines(t, imported(t, url, csvText, file), want...)
			res, _ := c.GetCustomerWithResponse(ctx, old.ID, nil)
			if d := res.JSON200.Data; d.Name != "Old" || d.Email != "OLD@example.com" || *d.Phone != "+1-555" ||
				*d.ExternalRef != "C-1" {
				t.Errorf("%s", res.Body)
			}
			if events() != happened+3 {
				t.Errorf("%d events", events()-happened)
			}
			before, happened = export(), events()
			again := imported(t, url, csvText, file)
			if again[len(again)-1] != "0 created, 0 updated, 3 unchanged, 4 refused" || export() != before ||
				events() != happened {
				t.Errorf("again: %q", again)
			}
		})
		t.Run("a field absent from a row stays, and null clears", func(t *testing.T) {
			const updated = "0 created, 1 updated, 0 unchanged, 0 refused"
			got := imported(t, url, ndjson, `{"email":"old@example.com","name":"Older","phone":null}`)
			wantLines(t, got, "1 updated", updated)
			res, _ := c.GetCustomerWithResponse(ctx, old.ID, nil)
			if d := res.JSON200.Data; d.Name != "Older" || d.Phone != nil || *d.ExternalRef != "C-1" {
				t.Errorf("%s", res.Body)
			}
			got = imported(t, url, csvText, "email,external_ref\nold@example.com,\n")
			wantLines(t, got, "2 updated", updated)
			res, _ = c.GetCustomerWithResponse(ctx, old.ID, nil)
			if d := res.JSON200.Data; d.ExternalRef != nil {
				t.Errorf("%s", res.Body)
			}
		})
		t.Run("an external_ref that is another's", func(t *testing.T) {
			file := `{"email":"old@example.com","external_ref":"C-2"}` + "\n" +
				`{"email":"fourth@example.com","name":"Fourth","external_ref":"C-9"}` + "\n"
			status, body, _ := webtest.Do(t, "POST", url, file, "Content-Type", ndjson)
			var line contract.ImportLine
			if err := json.NewDecoder(bytes.NewReader(body)).Decode(&line); status != 200 || err != nil ||
				*line.Code != "external_ref_taken" || (*(*line.Details)[0].Params)["customer_id"] == nil {
				t.Errorf("%d %s", status, body)
			}
		})
		t.Run("an external_ref that an earlier row frees", func(t *testing.T) {
			// Customer B, in the first row, gives up R-1, which the second row gives to customer A. A single
			// UPDATE of both customers would begin with A, which has the lower id, and violate the unique
			// index.
			a, b := create(t, c, "A", "a@example.com"), create(t, c, "B", "b@example.com")
			imported(t, url, ndjson, `{"email":"b@example.com","external_ref":"R-1"}`)
			file := `{"email":"b@example.com","external_ref":"R-2"}` + "\n" +
				`{"email":"a@example.com","external_ref":"R-1"}`
			wantLines(t, imported(t, url, ndjson, file),
				"1 updated", "2 updated", "0 created, 2 updated, 0 unchanged, 0 refused")
			for id, ref := range map[int64]string{a.ID: "R-1", b.ID: "R-2"} {
				if res, _ := c.GetCustomerWithResponse(ctx, id, nil); *res.JSON200.Data.ExternalRef != ref {
					t.Errorf("%s", res.Body)
				}
			}
		})
		t.Run("batches", func(t *testing.T) {
			var file strings.Builder
			file.WriteString("name,email\n")
			for i := range 600 {
				fmt.Fprintf(&file, "N,n%d@example.com\n", i)
			}
			got := imported(t, url, csvText, file.String())
			if got[600] != "600 created, 0 updated, 0 unchanged, 0 refused" {
				t.Error(got[600])
			}
			exported := get(t, base+"/customers/export?format=csv&search=n5")
			rows, err := csv.NewReader(bytes.NewReader(exported)).ReadAll()
			if err != nil || len(rows) != 112 || rows[1][2] != "n5@example.com" {
				t.Errorf("%d rows %v", len(rows), err)
			}
			if got := imported(t, url, ndjson, export()); got[len(got)-1][:22] != "0 created, 0 updated, " ||
				!strings.HasSuffix(got[len(got)-1], ", 0 refused") {
				t.Error(got[len(got)-1])
			}
		})
		t.Run("columns that are not read", func(t *testing.T) {
			const file = "id,email,name,updated_at,deleted_at\nC-17,own@example.com,Own,yesterday,\n" +
				"C-18,own-gone@example.com,Own,,2024-03-01T09:30:00.000Z\n"
			wantLines(t, imported(t, url, csvText, file), "2 created", "3 validation_failed /deleted_at",
				"1 created, 0 updated, 0 unchanged, 1 refused")
		})
		t.Run("every field", func(t *testing.T) {
			row := webtest.EveryField(t, webtest.Spec(t, api.Document), "CustomerImportRow")
			for _, readOnly := range []string{"id", "created_at", "updated_at", "deleted_at", "refusal"} {
				delete(row, readOnly)
			}
			encoded, _ := json.Marshal(row)
			imported(t, url, ndjson, string(encoded))
			var shown map[string]any
			exported := get(t, base+"/customers/export?email="+fmt.Sprint(row["email"]))
			if err := json.Unmarshal(exported, &shown); err != nil {
				t.Fatal(err)
			}
			webtest.ComesBack(t, "CustomerImportRow", row, shown)
		})
		t.Run("for one customer", func(t *testing.T) {
			authorization := bearer(t, "erp", old.ID)
			status, body, _ := webtest.Do(t, "POST", url, "email\nx@example.com\n",
				"Content-Type", csvText, "Authorization", authorization)
			webtest.WantError(t, status, body, 403, "forbidden", "/header/Authorization")
			own := get(t, base+"/customers/export", "Authorization", authorization)
			if bytes.Count(own, []byte{'\n'}) != 1 || !bytes.Contains(own, []byte(`"Older"`)) {
				t.Errorf("%s", own)
			}
		})
		checks, err := doctor.Examine(ctx, g, customers.Rules())
		if err != nil || !doctor.Healthy(checks) {
			t.Errorf("%v %+v", err, checks)
		}
	})
}

// TestExportForPeople exports CSV with the parameters bom and delimiter. The cells must be the same as
// without the parameters, and an import of the file must change nothing.
func TestExportForPeople(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		create(t, c, "=1;2 Größe", "a@example.com")
		url := base + "/customers/export?format=csv&email=a@example.com"
		plain := string(get(t, url))
		want := "\uFEFF" + strings.NewReplacer("=1;2 Größe", `"=1;2 Größe"`, ",", ";").Replace(plain)
		if got := string(get(t, url+"&bom=true&delimiter=semicolon")); got != want ||
			!strings.Contains(got, `"=1;2 Größe"`) {
			t.Errorf("%q, want %q", got, want)
		}
		for _, query := range []string{"bom=true", "delimiter=semicolon", "bom=true&delimiter=tab"} {
			again := imported(t, base+"/customers/import", "text/csv", string(get(t, url+"&"+query)))
			if last := again[len(again)-1]; last != "0 created, 0 updated, 1 unchanged, 0 refused" {
				t.Errorf("%s goes in again: %s", query, again)
			}
		}
		_, _, header := webtest.Do(t, "GET", url, "")
		name := regexp.MustCompile(`^attachment; filename="customers-\d{4}-\d\d-\d\d\.csv"$`)
		if got := header.Get("Content-Disposition"); !name.MatchString(got) {
			t.Error(got)
		}
		status, body, _ := webtest.Do(t, "GET", base+"/customers/export?bom=true&delimiter=tab", "")
		webtest.WantError(t, status, body, 400, "validation_failed", "/query/bom", "/query/delimiter")
		status, body, _ = webtest.Do(t, "GET", url+"&lines=true", "")
		webtest.WantError(t, status, body, 400, "validation_failed", "/query/lines")
	})
}

func get(t *testing.T, url string, headers ...string) []byte {
	t.Helper()
	status, body, _ := webtest.Do(t, "GET", url, "", headers...)
	if status != 200 {
		t.Errorf("%s: %d %s", url, status, body)
	}
	return body
}
