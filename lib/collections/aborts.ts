import { addAbortListener } from 'node:events';

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

export interface Patient {
  /** Its signal has been aborted. Called once at most. */
  giveUp(reason: unknown): void;
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
    for (const each of patients) each.giveUp(reason);
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
