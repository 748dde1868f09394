// Package bench measures the figures that the project has promised to keep and
// prints them, with their budgets beside them. All of it is tests: see README.md.
package bench
