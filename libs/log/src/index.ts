export { type LogFields, type Logger, type LogLevel, openLogger, silentLogger } from './logger.ts';
