export { type ProcessSettings, processSettings, processSettingsOrExit } from './process-settings.ts';
export {
  type OpenedService,
  openServiceProcess,
  runServiceProcess,
  type ServiceProcess,
  type ServiceProcessOptions,
} from './service-process.ts';
