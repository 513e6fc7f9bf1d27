package web

// MaxCallers is how many buckets an engine keeps.
const MaxCallers = maxCallers
