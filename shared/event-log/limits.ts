/** Bytes of one event's data and metadata as JSON in UTF-8. */
export const MAX_EVENT_BYTES = 256 * 1024;
/** Bytes of all events of one append. EventStoreDB refuses 1 MiB, its own overhead included. */
export const MAX_APPEND_BYTES = 512 * 1024;
/** Events of one append. */
export const MAX_APPEND_EVENTS = 1000;
/** Characters of an event type. */
export const MAX_TYPE_LENGTH = 200;
