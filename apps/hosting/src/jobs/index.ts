/** Jobs as those see them who do not work on them. Those in BullMQ stand apart: loading it costs a process its time. */
export { EmbeddedJobOffice } from "./embedded-office.ts";
export type { FailedJob, JobCounts, JobOffice, JobPlace } from "./job-office.ts";
