/*
 * What repositories called the indexes that are stored (RFC 9110 8.8.3), so that one that has not
 * changed is not sent again. In memory only: after a restart each index is downloaded once.
 * Thread-safe.
 */
#ifndef SOURCE_CONTROLLER_HELM_ETAGS_H
#define SOURCE_CONTROLLER_HELM_ETAGS_H

typedef struct HelmEtags HelmEtags;

HelmEtags *helm_etags_new(void);
void helm_etags_free(HelmEtags *etags);

/* The entity tag of the object's index at that URL, when `revision` is what it was stored as;
 * owned; NULL: not known. */
char *helm_etags_get(HelmEtags *etags, const char *uid, const char *url, const char *revision);

/* Notes it; a NULL etag, or one of no sensible length, forgets the object. */
void helm_etags_put(HelmEtags *etags, const char *uid, const char *url, const char *revision,
		    const char *etag);

#endif
