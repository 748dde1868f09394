package lsp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	// maxFrame is far above any message: a configuration of 50 000 tenants has 12 MB.
	maxFrame = 64 << 20
	// maxHeader bounds one line of a header, maxHeaders their number.
	maxHeader  = 4 << 10
	maxHeaders = 16
)

// frameReader reads messages, each behind a header that says how long it is.
type frameReader struct{ r *bufio.Reader }

func newFrameReader(r io.Reader) *frameReader { return &frameReader{bufio.NewReaderSize(r, maxHeader)} }

// read returns the next message, or io.EOF where the stream ends between two.
func (f *frameReader) read() ([]byte, error) {
	length := -1
	for n := 0; ; n++ {
		line, err := f.r.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && n == 0 && len(line) == 0:
			return nil, io.EOF
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("%w: a header of more than %d bytes", ErrFrame, maxHeader)
		case err != nil:
			return nil, fmt.Errorf("reading a header: %w", noEOF(err))
		case n == maxHeaders:
			return nil, fmt.Errorf("%w: more than %d headers", ErrFrame, maxHeaders)
		}
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			return nil, fmt.Errorf("%w: %q is no header", ErrFrame, text)
		}
		if strings.EqualFold(strings.TrimSpace(name), "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil || length < 0 || length > maxFrame {
				return nil, fmt.Errorf("%w: Content-Length %s; allowed are 0 to %d", ErrFrame, strings.TrimSpace(value), maxFrame)
			}
		}
	}
	if length < 0 {
		return nil, fmt.Errorf("%w: a message without Content-Length", ErrFrame)
	}
	var body bytes.Buffer // grows with what comes, whatever the header promises
	if _, err := io.CopyN(&body, f.r, int64(length)); err != nil {
		return nil, fmt.Errorf("reading a message: %w", noEOF(err))
	}
	return body.Bytes(), nil
}

// noEOF is the end of a stream within a message.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// writeFrame writes a message.
func writeFrame(w io.Writer, body []byte) error {
	frame := append(fmt.Appendf(nil, "Content-Length: %d\r\n\r\n", len(body)), body...)
	_, err := w.Write(frame)
	return err
}
