/** Where a server's resources live: servers of other names do not collide with it, also in one gateway. */
export const authorityOf = (name: string): string => `fixture://${encodeURIComponent(name)}`;
