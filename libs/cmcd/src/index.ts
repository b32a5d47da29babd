/** Common Media Client Data (CTA-5004, CTA-5004-B): what players say of themselves, read into bounded fields. */
export {
  type CmcdDropReason,
  type CmcdFields,
  type CmcdReport,
  type CmcdState,
  cmcdDropReasons,
  type OnCmcdDrop,
} from './cmcd-report.ts';
export {
  hasCmcdHeaders,
  hasCmcdQuery,
  mostReportCharacters,
  mostReportsPerBody,
  readCmcdEvents,
  readCmcdHeaders,
  readCmcdQuery,
} from './read-cmcd.ts';
