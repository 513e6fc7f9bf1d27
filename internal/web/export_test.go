package web

// KnowsFormat reports whether requests are held to a value of `format`.
func KnowsFormat(name string) bool { return formats[name].sentence != "" }
