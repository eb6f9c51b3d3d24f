/**
 * Times (ms) that decide how fast it heals, as seen on a real broker: a killed member is replaced after the session time-out, a
 * killed broker serves again a few seconds after its restart.
 */
export const CONNECTION_TIMEOUT = 5_000;
export const REQUEST_TIMEOUT = 15_000;
export const SESSION_TIMEOUT = 6_000;
export const HEARTBEAT_INTERVAL = 1_500;
export const REBALANCE_TIMEOUT = 10_000;
/** A fetch waits so long for the first event; also how long a pause may outlast its reason. */
export const FETCH_WAIT = 500;
/** A member from which nothing is heard for so long is rebuilt. A rebalance keeps it silent, too. */
export const SILENCE = 25_000;
/** How often a member looks whether its topics are still the same ones. */
export const TOPICS_LOOK = 5_000;
/** A client that is asked to go is cut off after this. */
export const DISCONNECT_TIMEOUT = 5_000;
/** What is asked of the cluster's administration must be answered within this. */
export const ADMIN_TIMEOUT = 10_000;
/** Until a publish gives up, the restart of a broker included. */
export const PUBLISH_TIMEOUT = 20_000;

/** kafkajs has other defaults where NODE_ENV is `test`: all are given. */
export const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2, retries: 5 };
