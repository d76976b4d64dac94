/** Hears of every round that is done. */
export type OnRound = (done: number, all: number) => void;
