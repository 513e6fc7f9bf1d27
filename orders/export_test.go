package orders

// OneGroup lets no more than one group of changes be under way at once, before any is.
func OneGroup(s *Service) { s.changes.AtOnce = 1 }

// Load tells how many groups of changes are under way, and how many changes wait.
func Load(s *Service) (groups, waiting int) { return s.changes.Load() }
