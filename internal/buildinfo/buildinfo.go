// Package buildinfo tells the version of the running program.
package buildinfo

import (
	"runtime/debug"
	"sync"
)

// version is set by the linker: -ldflags "-X example.com/b2b/v2/internal/buildinfo.version=1.4.0".
var version string

// Version returns the version that the linker has set, or else the version of the module, or else the commit
// of the source, with "-dirty" for uncommitted changes, or else "dev".
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
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit := settings["vcs.revision"]
	if commit == "" {
		return "dev"
	}
	if settings["vcs.modified"] == "true" {
		return commit[:12] + "-dirty"
	}
	return commit[:12]
})
