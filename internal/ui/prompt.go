package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

var (
	// ErrNoTerminal says that a question could not be asked, since nobody sits
	// at standard input.
	ErrNoTerminal = errors.New("there is no terminal to ask on")
	// ErrDeclined says that the answer was no, or the end of the input.
	ErrDeclined = errors.New("declined")
)

// Prompter asks questions. A nil error is consent; every other answer is an
// error: [ErrDeclined], [ErrNoTerminal], or that of a cancelled context. One
// question is asked at a time.
type Prompter interface {
	// Confirm asks a question that is answered by y or yes; anything else declines.
	Confirm(ctx context.Context, question string) error
	// TypeToConfirm asks for a text to be typed exactly; anything else declines.
	TypeToConfirm(ctx context.Context, question, want string) error
	// Select asks for one of several words, of which a beginning that only one
	// has is enough. It asks again until the answer is one.
	Select(ctx context.Context, question string, words ...string) (string, error)
	// Input asks for a line of text, which may be empty.
	Input(ctx context.Context, question string) (string, error)
}

// NewPrompter asks on s.ErrOut and reads the answers from s.In, a line each. It
// asks only if In is a terminal: a pipe could hold anything.
func NewPrompter(s *Streams) Prompter {
	return &prompter{s: s, in: bufio.NewReader(s.In)}
}

type prompter struct {
	s  *Streams
	in *bufio.Reader
	// pending is a read that a cancelled question left behind; its line belongs
	// to the next question, since nothing can take it back.
	pending chan answer
}

type answer struct {
	line string
	err  error
}

func (p *prompter) Confirm(ctx context.Context, question string) error {
	line, err := p.ask(ctx, question+" [y/N] ")
	if err != nil {
		return err
	}
	switch strings.ToLower(line) {
	case "y", "yes":
		return nil
	}
	return ErrDeclined
}

func (p *prompter) TypeToConfirm(ctx context.Context, question, want string) error {
	line, err := p.ask(ctx, fmt.Sprintf("%s\nType %s to go on: ", question, quoted(want)))
	if err != nil {
		return err
	}
	if line != want {
		return ErrDeclined
	}
	return nil
}

func (p *prompter) Select(ctx context.Context, question string, words ...string) (string, error) {
	for {
		line, err := p.ask(ctx, fmt.Sprintf("%s [%s] ", question, strings.Join(words, "/")))
		if err != nil {
			return "", err
		}
		var fits []string
		for _, w := range words {
			if line != "" && strings.HasPrefix(w, strings.ToLower(line)) {
				fits = append(fits, w)
			}
		}
		if len(fits) == 1 {
			return fits[0], nil
		}
	}
}

func (p *prompter) Input(ctx context.Context, question string) (string, error) {
	return p.ask(ctx, question+" ")
}

// ask prints a question and reads a line, without the spaces around it.
func (p *prompter) ask(ctx context.Context, question string) (string, error) {
	if !p.s.InTTY {
		return "", ErrNoTerminal
	}
	resume := p.s.suspend()
	defer resume()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if _, err := io.WriteString(p.s.ErrOut, SafeLines(question)); err != nil {
		return "", fmt.Errorf("asking: %w", err)
	}
	if p.pending == nil {
		p.pending = make(chan answer, 1)
		go func(to chan<- answer) {
			line, err := p.in.ReadString('\n')
			to <- answer{line, err}
		}(p.pending)
	}
	select {
	case <-ctx.Done():
		_, _ = io.WriteString(p.s.ErrOut, "\n")
		return "", ctx.Err()
	case a := <-p.pending:
		p.pending = nil
		if a.err != nil { // a line without its end is not an answer
			_, _ = io.WriteString(p.s.ErrOut, "\n")
			if errors.Is(a.err, io.EOF) {
				return "", ErrDeclined
			}
			return "", fmt.Errorf("reading the answer: %w", a.err)
		}
		return strings.TrimSpace(a.line), nil
	}
}
