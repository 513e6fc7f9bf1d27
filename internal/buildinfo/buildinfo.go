// Package buildinfo says which version of the program runs.
package buildinfo

import (
	"runtime/debug"
	"sync"
)

// version is set by the linker: -ldflags "-X example.com/b2b/internal/buildinfo.version=1.4.0".
var version string

// Version returns the version that the program was built as, else what Go knows of the module: its version,
// or the commit of its source, with "-dirty" when that was changed; "dev" when nothing is known.
var Version = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	switch {
	case version != "":
		return version
	case !ok:
		return "dev"
	case info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	}
	found := map[string]string{}
	for _, s := range info.Settings {
		found[s.Key] = s.Value
	}
	commit := found["vcs.revision"]
	if commit == "" {
		return "dev"
	}
	if found["vcs.modified"] == "true" {
		return commit[:12] + "-dirty"
	}
	return commit[:12]
})
