package ui

import (
	"context"
	"slices"
)

// FakePrompter answers from a script and keeps the questions; it is for tests.
// Confirm takes "y" for consent, TypeToConfirm the wanted text, Select a word.
// Once the answers are used up, everything is declined.
type FakePrompter struct {
	Answers   []string
	Questions []string
}

// Confirm implements [Prompter].
func (f *FakePrompter) Confirm(ctx context.Context, question string) error {
	return f.expect(ctx, question, "y")
}

// TypeToConfirm implements [Prompter].
func (f *FakePrompter) TypeToConfirm(ctx context.Context, question, want string) error {
	return f.expect(ctx, question, want)
}

// Select implements [Prompter].
func (f *FakePrompter) Select(ctx context.Context, question string, words ...string) (string, error) {
	a, err := f.next(ctx, question)
	if err == nil && !slices.Contains(words, a) {
		err = ErrDeclined
	}
	return a, err
}

// Input implements [Prompter].
func (f *FakePrompter) Input(ctx context.Context, question string) (string, error) {
	return f.next(ctx, question)
}

func (f *FakePrompter) expect(ctx context.Context, question, want string) error {
	a, err := f.next(ctx, question)
	if err == nil && a != want {
		err = ErrDeclined
	}
	return err
}

func (f *FakePrompter) next(ctx context.Context, question string) (string, error) {
	f.Questions = append(f.Questions, question)
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if len(f.Answers) == 0 {
		return "", ErrDeclined
	}
	a := f.Answers[0]
	f.Answers = f.Answers[1:]
	return a, nil
}
