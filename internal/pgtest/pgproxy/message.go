package pgproxy

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// maxMessage is the server's own bound of a message.
const maxMessage = 1 << 30

// message is one message of the protocol: a letter, its length without the letter,
// and what it says.
type message []byte

func (m message) kind() byte   { return m[0] }
func (m message) body() []byte { return m[5:] }

func readMessage(in *bufio.Reader) (message, error) {
	head, err := in.Peek(5)
	if err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size < 4 || size > maxMessage {
		return nil, fmt.Errorf("a message %q of %d bytes", head[0], size)
	}
	m := make(message, 1+size)
	_, err = io.ReadFull(in, m)
	return m, err
}

// size is that of all messages together.
func size(messages []message) (n int) {
	for _, m := range messages {
		n += len(m)
	}
	return n
}

// join returns all messages in one piece.
func join(messages []message) []byte {
	all := make([]byte, 0, size(messages))
	for _, m := range messages {
		all = append(all, m...)
	}
	return all
}
