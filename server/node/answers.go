package node

import (
	"context"

	"skirmish/server/journal"
)

// answerStore keeps the first answers to Idempotency-Keys in a stream that drops its oldest records (api.Keeper).
type answerStore struct{ journal.Stream }

const answersKey = "answers" // of every batch: they are read in order alone

// Keep appends a batch (api.Keeper).
func (s answerStore) Keep(ctx context.Context, batch []byte) error {
	_, err := s.Append(ctx, answersKey, newID(), batch)
	return err
}

// Kept reads all batches (api.Keeper).
func (s answerStore) Kept(ctx context.Context, take func([]byte)) error {
	const page = 256
	for from := uint64(1); ; {
		records, err := s.List(ctx, from, page)
		if err != nil {
			return err
		}
		for _, r := range records {
			take(r.Data)
			from = r.Seq + 1
		}
		if len(records) < page {
			return nil
		}
	}
}
