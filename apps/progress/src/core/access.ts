/**
 * Who may do what. The matrix is data, so that a test can walk it; ownership comes on top: owners reach what is theirs,
 * admins reach everything, and what one may not reach does not exist for one (404, not 403).
 */
import { mayActBy, type RoleMatrix } from '@millrace/auth';

const readers = ['admin', 'broadcaster', 'analyst', 'viewer'] as const;
/** A `viewer` token is made to watch, not to look over shoulders. */
const jobReaders = ['admin', 'broadcaster', 'analyst'] as const;
const writers = ['admin', 'broadcaster'] as const;

/** Roles that may take each action. An action is the operation id of a route. */
const matrix = {
  listVideos: readers,
  getVideo: readers,
  getVideoStatus: readers,
  getReprocess: readers,
  createVideo: writers,
  updateVideo: writers,
  deleteVideo: writers,
  runSync: writers,
  reprocess: writers,
  createUpload: writers,
  getUpload: writers,
  resumeUpload: writers,
  cancelUpload: writers,
  createComposition: writers,
  listCompositions: readers,
  getComposition: readers,
  cancelComposition: writers,
  listImages: readers,
  getImage: readers,
  getImageSource: readers,
  getImageThumbnail: readers,
  getImageVideo: readers,
  getImageHasVideo: readers,
  getImageHistory: readers,
  getImageVideoStatuses: readers,
  createImage: writers,
  deleteImage: writers,
  createImageVideo: writers,
  cancelImageVideo: writers,
  createWebhook: writers,
  listWebhooks: writers,
  getWebhook: writers,
  deleteWebhook: writers,
  listJobs: jobReaders,
  getJob: jobReaders,
  cancelJob: writers,
} as const satisfies RoleMatrix<string>;

export type Action = keyof typeof matrix;

/** Whether `role` may take `action` at all. */
export const mayAct = mayActBy(matrix);
