//go:build !unix

// Package server starts a PostgreSQL server for measurements.
package server

import (
	"context"
	"errors"
)

// Server is a running server.
type Server struct{}

// Start cannot start one on this system.
func Start(context.Context) (*Server, error) {
	return nil, errors.New("this system cannot start a server by itself: give one with -dsn")
}

// DSN is the connection string.
func (s *Server) DSN() string { return "" }

// Stop ends the server.
func (s *Server) Stop() {}
