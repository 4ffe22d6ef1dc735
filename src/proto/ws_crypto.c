/* OpenSSL's library of algorithms, loaded once and never unloaded. The build says which one the headers belong to. */
#include "proto/ws_crypto.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct rtn_ws_crypto loaded; /* as the next, written once */
static char problem[256]; /* empty: it could be loaded */

static void load(void)
{
    static const struct {
        const char *name;
        size_t at;
    } functions[] = {
        { "SHA1", offsetof(struct rtn_ws_crypto, sha1) },
        { "EVP_EncodeBlock", offsetof(struct rtn_ws_crypto, encode_base64) },
        { "RAND_bytes", offsetof(struct rtn_ws_crypto, random_bytes) },
    };
    void *library = dlopen(RTN_LIBCRYPTO, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; library != NULL && i < sizeof(functions) / sizeof(functions[0]); i++) {
        void *found = dlsym(library, functions[i].name);
        if (found == NULL) {
            library = NULL;
            break;
        }
        *(void **) ((char *) &loaded + functions[i].at) = found; /* as POSIX has it for dlsym() */
    }
    if (library == NULL)
        (void) snprintf(problem, sizeof(problem), "%s", dlerror());
}

const struct rtn_ws_crypto *rtn_ws_crypto_load(const char **ret)
{
    (void) pthread_once(&once, load);
    *ret = problem;
    return problem[0] == '\0' ? &loaded : NULL;
}

const struct rtn_ws_crypto *rtn_ws_crypto(void)
{
    const char *wrong;
    const struct rtn_ws_crypto *crypto = rtn_ws_crypto_load(&wrong);
    assert(crypto != NULL);
    return crypto;
}
