import { addAbortListener } from 'node:events';

/*
 * Who wants to know that a signal is aborted. One listener for each signal, however many they are: Node.js 20 takes more than
 * ten on one signal for a leak, and warns. `addAbortListener`: another listener cannot keep it from ours.
 */

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
  const listening = addAbortListener(signal, () => {
    wards.delete(signal);
    for (const each of patients) each.giveUp(signal.reason);
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
