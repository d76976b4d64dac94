/** What to do about a process that runs and does not answer. */
export const wakeOrEnd = (pid: number): string =>
  `kill -CONT ${pid} wakes one that was suspended, kill -9 ${pid} ends it`;
