package store

// Format names how a payload is encoded. It is stored with each event, and
// decides how that event is read. A format of your own is any other name of at
// most [MaxNameBytes] bytes; register its serializer with the family.
type Format string

const (
	// JSON is UTF-8 JSON text, stored as it was encoded.
	JSON Format = "json"
	// JSONB is JSON that the database may store in its own form and query; the
	// bytes read back are equal in meaning, not to the letter.
	JSONB Format = "jsonb"
	// Msgpack is MessagePack.
	Msgpack Format = "msgpack"
)
