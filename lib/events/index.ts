// Listeners go when their owners' deaths are called, which this starts.
import '../reclaim/queue.js';

export type { CodedError, ErrorCode } from '../errors.js';
export { addWeakListener, WeakListener, type WeakListenerOptions } from './weak-listener.js';
