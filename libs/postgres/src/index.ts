export { type AnswerKey, type AnswerRows, createAnswerRows, type KeptAnswer } from './answer-rows.ts';
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, openEmbeddedPostgres } from './embedded.ts';
export { type Migration, type MigrationOptions, readMigrations, runMigrations } from './migrations.ts';
export { NeedsOwnTransaction, SharedTransactions, type SharedTransactionsOptions } from './shared-transactions.ts';
export { isRetryable, openSession, openSql, type Sql, type SqlOptions, type TransactionSql } from './sql.ts';
