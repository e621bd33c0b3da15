package postgres

import (
	"crypto/sha256"
	"encoding/hex"
)

const typeIndexName = "events_type_position_idx"

// metadataIndexName holds a hash, for a key may be longer than a name, and two
// long ones may begin alike.
func metadataIndexName(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "events_metadata_" + hex.EncodeToString(sum[:16]) + "_idx"
}
