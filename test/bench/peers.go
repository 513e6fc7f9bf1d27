package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest/server"
)

// peer is a server in another framework that places orders. The peer's files are in a folder of
// test/bench/peers. The method start copies the files to a folder of the user's cache.
type peer struct {
	name, folder, needs string
	// bash command that installs the requirements in the copied folder
	install string
	command func(installed string) (args []string) // returns the command that starts the peer
}

var peers = []peer{{
	"Express + mysql2", "express", "npm", "npm install --no-audit --no-fund --silent",
	func(string) []string { return []string{"node", "server.js"} },
}, {
	"FastAPI + SQLAlchemy", "fastapi", "python3", "python3 -m venv venv && venv/bin/pip install -q -r requirements.txt",
	func(installed string) []string {
		return []string{filepath.Join(installed, "venv/bin/python"), "server.py"}
	},
}}

// start installs a peer, unless its requirements are installed already, and runs the peer. The process is nil
// when the program p.needs is not installed.
func (p peer) start(ctx context.Context, b *bench, c db.Config) (*process, contender, error) {
	if _, err := exec.LookPath(p.needs); err != nil {
		return nil, contender{}, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, contender{}, err
	}
	installed := filepath.Join(cache, "b2b-bench", p.folder)
	// The script installs the requirements again when their list has changed.
	script := `mkdir -p "$2"
		cd "$1"
		for list in package.json requirements.txt; do
			[[ ! -f $list ]] || cmp -s $list "$2/done" ||
				{ cp -r . "$2"; (cd "$2"; ` + p.install + `); cp $list "$2/done"; }
		done
		cp -r . "$2"`
	source := filepath.Join("test", "bench", "peers", p.folder)
	install := exec.CommandContext(ctx, "bash", "-ec", script, "bash", source, installed)
	if out, err := install.CombinedOutput(); err != nil {
		return nil, contender{}, fmt.Errorf("%s cannot be installed: %w: %s", p.name, err, out)
	}
	port, err := server.FreePort()
	if err != nil {
		return nil, contender{}, err
	}
	args := p.command(installed)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = installed, append(append(os.Environ(), environment(c)...), "PORT="+strconv.Itoa(port))
	base := "http://127.0.0.1:" + strconv.Itoa(port)
	running, err := launch(ctx, cmd, base+"/health")
	if err != nil {
		return nil, contender{}, err
	}
	return running, b.instances(p.name, []addresses{{orders: base}}, running), nil
}
