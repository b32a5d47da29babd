-- A slot is looked up by its subject; see inSlot in job-slot.ts.
DROP INDEX progress.jobs_by_subject;
CREATE INDEX jobs_by_subject ON progress.jobs (subject, kind, job_id);
