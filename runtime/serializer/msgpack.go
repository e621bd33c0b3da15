package serializer

import "github.com/vmihailenco/msgpack/v5"

// Msgpack is MessagePack: structs are maps with the names of their msgpack tags,
// else of their json tags.
type Msgpack struct{}

// Format returns "msgpack".
func (Msgpack) Format() string { return "msgpack" }

// Marshal implements [Serializer].
func (Msgpack) Marshal(v any) ([]byte, error) {
	data, err := msgpack.Marshal(v)
	if err != nil {
		return nil, &EncodeError{Format: "msgpack", GoType: goType(v), Reason: err.Error(), Err: err}
	}
	return data, nil
}

// Unmarshal implements [Serializer].
func (Msgpack) Unmarshal(data []byte, v any) error {
	if err := msgpack.Unmarshal(data, v); err != nil {
		return &DecodeError{Format: "msgpack", GoType: goType(v), Offset: -1, Err: err}
	}
	return nil
}
