package events

import "context"

// pruneStep is the number of events that a transaction deletes. Sequence waits meanwhile.
const pruneStep = 500

// Prune deletes events that are older than s.Retention and have a position, in the order of their positions.
// It returns their number. Among the events that readers may get, Prune stops at the first younger event,
// even if older events follow. Nothing is deleted until the feed itself is older than s.Retention: see
// mayPrune.
func (s *Service) Prune(ctx context.Context) (total int, err error) {
	if s.Retention == 0 {
		return 0, nil
	}
	for _, expired := range []bool{true, false} {
		for deleted := pruneStep; deleted == pruneStep; total += deleted {
			err := s.db.Change(ctx, func(tx store) (err error) {
				deleted, err = tx.prune(s.Retention, expired, pruneStep)
				return err
			})
			if err != nil {
				return total, err
			}
		}
	}
	return total, nil
}

// prunedCounters returns the counters to write when the events are deleted: the counter of all events, and
// the counter of each customer with a deleted event. Each counter has the new PrunedPosition.
func prunedCounters(events []oldEvent) []counter {
	pruned := []counter{{CustomerID: 0}}
	at := map[int64]int{}
	for _, e := range events {
		pruned[0].PrunedPosition = e.Position
		if e.CustomerID == nil {
			continue
		}
		i, found := at[*e.CustomerID]
		if !found {
			i = len(pruned)
			at[*e.CustomerID] = i
			pruned = append(pruned, counter{CustomerID: *e.CustomerID})
		}
		pruned[i].PrunedPosition = e.CustomerPosition
	}
	return pruned
}
