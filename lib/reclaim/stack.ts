/**
 * What the queue itself needs of the stack between its caller and a callback, and to report what that throws; several times
 * over. Each argument takes 8 bytes: 12 KB.
 */
const ROOM = new Array<number | undefined>(1536).fill(undefined);

const nothing = (): void => undefined;

/**
 * Throws V8's own RangeError where the stack ends too soon: before anything is taken out of the queue. Where the room is
 * there, the stack can only end in a callback, and that is reported. Arguments in an array have to be put on the stack, however
 * the caller has been compiled.
 */
export function checkStack(): void {
  Reflect.apply(nothing, undefined, ROOM);
}

/** So many times that: 480 KB, half of what Node.js has. */
const MUCH = 40;

/**
 * Whether there is far more than that. Asked by every drain once a few were terminated: an array as long as that, made anew each
 * time, took longer than the millisecond that such a drain may have had, and nothing was called any more.
 */
export function hasMuchStack(): boolean {
  try {
    takeRooms(MUCH);
    return true;
  } catch {
    return false;
  }
}

function takeRooms(count: number): void {
  if (count === 1) return;
  ROOM[0] = count - 1;
  Reflect.apply(takeRooms as (...args: unknown[]) => void, undefined, ROOM);
}
