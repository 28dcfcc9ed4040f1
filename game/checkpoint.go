package game

type checkpointer struct{}
