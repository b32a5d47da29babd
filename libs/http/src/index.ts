export type { HttpMount, Readiness, Service } from './service.ts';
