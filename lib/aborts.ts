import { addAbortListener } from 'node:events';
import { typeError } from './errors.js';
import { optionError } from './validate.js';

/*
 * Who wants to know that a signal is aborted. One listener for each signal, however many they are: Node.js 20 takes more than
 * ten on one signal for a leak, and warns. `addAbortListener`: another listener cannot keep it from ours.
 *
 * What a signal has of its own, or of a class of one's own, is never called: it might throw in the middle of a load that others
 * wait for, too. Looked up anew each time: test environments bring an AbortSignal of theirs.
 */

/** What `addAbortListener` needs of a signal that is not aborted. */
function plainViewOf(signal: AbortSignal): AbortSignal {
  const { addEventListener, removeEventListener } = AbortSignal.prototype;
  return {
    aborted: false,
    addEventListener: (...args: unknown[]) => Reflect.apply(addEventListener, signal, args),
    removeEventListener: (...args: unknown[]) => Reflect.apply(removeEventListener, signal, args),
  } as unknown as AbortSignal;
}

export function isAborted(signal: AbortSignal): boolean {
  return Reflect.get(AbortSignal.prototype, 'aborted', signal) as boolean;
}

export function reasonOf(signal: AbortSignal): unknown {
  return Reflect.get(AbortSignal.prototype, 'reason', signal);
}

function isSignal(value: unknown): value is AbortSignal {
  try {
    // What only has its prototype throws when it is asked.
    return value instanceof AbortSignal && typeof isAborted(value) === 'boolean';
  } catch (error) {
    // The stack has ended: that says nothing of the signal.
    if (error instanceof RangeError) throw error;
    return false;
  }
}

/** The option `signal`, read once. */
export function signalOption(options: object, where: string): AbortSignal | undefined {
  const { signal } = options as { signal?: unknown };
  if (signal === undefined || isSignal(signal)) return signal;
  if (signal instanceof AbortController)
    throw typeError(
      'ERR_WEAKLY_OPTION',
      `${where}: expected option "signal" to be an AbortSignal, got an AbortController; pass its "signal"`,
    );
  throw optionError('signal', where, 'an AbortSignal', signal);
}

export interface Patient {
  /** Its signal has been aborted. Called once at most. */
  giveUp(reason: unknown): void;
}

/** What one of them throws is nobody else's, as with the listeners of an EventTarget. */
function giveUp(patient: Patient, reason: unknown): void {
  try {
    patient.giveUp(reason);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

interface Ward {
  readonly patients: Set<Patient>;
  readonly listening: Disposable;
}

const wards = new WeakMap<AbortSignal, Ward>();

/** For a signal that is not aborted. */
export function onAbort(signal: AbortSignal, patient: Patient): void {
  const ward = wards.get(signal);
  if (ward !== undefined) {
    ward.patients.add(patient);
    return;
  }
  const patients = new Set([patient]);
  const listening = addAbortListener(plainViewOf(signal), () => {
    wards.delete(signal);
    const reason = reasonOf(signal);
    for (const each of patients) giveUp(each, reason);
  });
  wards.set(signal, { patients, listening });
}

/** Leaves no listener behind when nobody is left. */
export function offAbort(signal: AbortSignal, patient: Patient): void {
  const ward = wards.get(signal);
  if (ward === undefined || !ward.patients.delete(patient) || ward.patients.size > 0) return;
  wards.delete(signal);
  ward.listening[Symbol.dispose]();
}
