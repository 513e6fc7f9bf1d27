// The Spanish of each English text. A test finds texts without an entry.
/** @type {Record<string, string>} */
export const spanish = {}
