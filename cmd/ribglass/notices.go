package main

import "ribglass/ribstore/route"

// notices returns what an operator should know beside what sessions say, by peer,
// "" for the program.
func (s *server) notices() map[string][]route.Notice {
	list := s.store.Notices()
	if s.history != nil {
		for peer, of := range s.history.Notices() {
			list[peer] = append(list[peer], of...)
		}
	}
	return list
}
