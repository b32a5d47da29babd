export type {
  Claim,
  ClaimLoss,
  ParkedWorkers,
  SourceAssignment,
  SourceDesk,
  SourceEnd,
  SourceHandler,
  SourceLink,
} from './source-port.ts';
export type {
  LiveWindowWriter,
  OpenWindow,
  PartWrite,
  RenditionPosition,
  RenditionSpec,
  WindowSettings,
  WindowState,
  WriteRefusal,
} from './window-port.ts';
