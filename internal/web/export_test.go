package web

// MaxCallers is the number of rate limit buckets that an engine keeps.
const MaxCallers = maxCallers
