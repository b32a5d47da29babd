export { readDotEnv } from './dot-env.ts';
export { Secret } from './secret.ts';
export {
  defineSettings,
  describeSettings,
  loadSettings,
  type SettingMistake,
  type Settings,
  type SettingsTable,
  setting,
} from './settings.ts';
export { settingsOrExit } from './settings-or-exit.ts';
