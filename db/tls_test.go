package db_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/dbtest/server"
)

// cipher returns the cipher of the connection to a database; "" means no encryption.
func cipher(c db.Config) (name string, err error) {
	g, err := db.Open(ctx, c)
	if err != nil {
		return "", err
	}
	defer db.Close(g)
	var variable string
	err = g.Raw("SHOW SESSION STATUS LIKE 'Ssl_cipher'").Row().Scan(&variable, &name)
	return name, err
}

// certificate writes a new certificate for the local address, and its key, and returns the two files.
func certificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "b2b"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(24 * time.Hour), IsCA: true,
		BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, of, of, &private.PublicKey, private)
	must(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	dir := t.TempDir()
	write := func(name, kind string, bytes []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600))
		return path
	}
	return write("certificate", "CERTIFICATE", signed), write("key", "PRIVATE KEY", encoded)
}

// TestTLS connects to the test servers in each mode. A server encrypts with a self-signed certificate, or not
// at all. So the mode verify must fail on every server, and the mode required must fail on a server without
// encryption.
func TestTLS(t *testing.T) {
	another, _ := certificate(t)
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("SQLite has no connection to a server")
		}
		c.TLS = "off"
		if name, err := cipher(c); err != nil || name != "" {
			t.Errorf("off: %q %v", name, err)
		}
		c.TLS = "preferred"
		preferred, err := cipher(c)
		if err != nil {
			t.Errorf("preferred: %v", err)
		}
		c.TLS = "required"
		if name, err := cipher(c); name != preferred || err != nil != (preferred == "") {
			t.Errorf("required: %q %v, preferred: %q", name, err, preferred)
		}
		c.TLS, c.TLSCA = "verify", another
		if name, err := cipher(c); err == nil {
			t.Errorf("verify: %q by the certificate of another", name)
		}
	})
}

// TestVerify connects in each mode to a server whose certificate is for 127.0.0.1, and not for localhost.
// Each connection must succeed, or fail with the right error.
func TestVerify(t *testing.T) {
	program := server.Find("MariaDB")
	if program == "" && (os.Getenv("CI") == "" || !server.IsChosen("MariaDB")) {
		t.Skip("this machine has no MariaDB server")
	}
	own, key := certificate(t)
	another, _ := certificate(t)
	private, err := server.Start("MariaDB", program, t.TempDir(), "--ssl-cert="+own, "--ssl-key="+key)
	must(t, err)
	t.Cleanup(func() { private.Stop() })
	for name, want := range map[string]struct{ host, tls, ca, err string }{
		"off":              {"127.0.0.1", "off", "", ""},
		"preferred":        {"127.0.0.1", "preferred", "", ""},
		"required":         {"localhost", "required", "", ""},
		"verify":           {"127.0.0.1", "verify", own, ""},
		"another_host":     {"localhost", "verify", own, "not valid for"},
		"another_ca":       {"127.0.0.1", "verify", another, "certificate"},
		"ca_of_this_place": {"127.0.0.1", "verify", "", "unknown authority"},
		"no_file":          {"127.0.0.1", "verify", own + ".not", "no such file"},
		"no_certificate":   {"127.0.0.1", "verify", key, "has no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := cipher(db.Config{
				Driver: db.MySQL, Host: want.host, Port: private.Port, User: "root", Name: "mysql",
				MaxConns: 1, TLS: want.tls, TLSCA: want.ca,
			},
			)
			switch {
			case want.err != "" && (err == nil || !strings.Contains(err.Error(), want.err)),
				want.err == "" && err != nil:
				t.Errorf("%v, want %q", err, want.err)
			case want.err == "" && (got == "") != (want.tls == "off"):
				t.Errorf("cipher %q", got)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
