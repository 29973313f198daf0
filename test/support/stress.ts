/** Whether V8's stress flags are on (scripts/test-stress.mjs): every GC is then one of very many, and takes its time. */
export const stressed = process.env.WEAKLY_STRESS !== undefined;
