import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/*
 * kafkajs 2.2.4 looks a thousand times a second, for each connection and for ever, whether a request waits that the broker throttled.
 * Every answer looks after those as well: a look of its own is due only where one waits.
 * Source: https://github.com/tulios/kafkajs/issues/1704
 */
const { prototype } = RequestQueue;
const look = Reflect.get<typeof prototype, 'scheduleCheckPendingRequests'>(prototype, 'scheduleCheckPendingRequests');
prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
  if (this.pending.length > 0) look.call(this);
};
