/*
 * <srtp.h> as the mediasoup worker needs it: the part of libsrtp 3's interface that the worker
 * calls. ../srtp3-by-srtp2.c implements it on libsrtp 2.
 *
 * Both versions export the same names with different parameters. The linker must not mix them up,
 * so each call is renamed to srtp3_* here; this header and <srtp2/srtp.h> never meet in one file.
 * Values of enumerations are version 2's, which srtp3-by-srtp2.c asserts.
 */
#ifndef TRUNKLINE_SRTP3_H
#define TRUNKLINE_SRTP3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define srtp_init srtp3_init
#define srtp_shutdown srtp3_shutdown
#define srtp_get_version_string srtp3_get_version_string
#define srtp_install_event_handler srtp3_install_event_handler
#define srtp_profile_get_master_key_length srtp3_profile_get_master_key_length
#define srtp_profile_get_master_salt_length srtp3_profile_get_master_salt_length
#define srtp_policy_create srtp3_policy_create
#define srtp_policy_destroy srtp3_policy_destroy
#define srtp_policy_set_ssrc srtp3_policy_set_ssrc
#define srtp_policy_set_profile srtp3_policy_set_profile
#define srtp_policy_add_key srtp3_policy_add_key
#define srtp_policy_set_allow_repeat_tx srtp3_policy_set_allow_repeat_tx
#define srtp_policy_set_window_size srtp3_policy_set_window_size
#define srtp_create srtp3_create
#define srtp_dealloc srtp3_dealloc
#define srtp_stream_remove srtp3_stream_remove
#define srtp_protect srtp3_protect
#define srtp_unprotect srtp3_unprotect
#define srtp_protect_rtcp srtp3_protect_rtcp
#define srtp_unprotect_rtcp srtp3_unprotect_rtcp

/* Bytes by which protecting an RTP packet may lengthen it: authentication tag and key identifier. */
#define SRTP_MAX_TRAILER_LEN (16 + 128)

#ifdef __cplusplus
extern "C"
{
#endif

typedef enum
{
	srtp_err_status_ok,
	srtp_err_status_fail,
	srtp_err_status_bad_param,
	srtp_err_status_alloc_fail,
	srtp_err_status_dealloc_fail,
	srtp_err_status_init_fail,
	srtp_err_status_terminus,
	srtp_err_status_auth_fail,
	srtp_err_status_cipher_fail,
	srtp_err_status_replay_fail,
	srtp_err_status_replay_old,
	srtp_err_status_algo_fail,
	srtp_err_status_no_such_op,
	srtp_err_status_no_ctx,
	srtp_err_status_cant_check,
	srtp_err_status_key_expired,
	srtp_err_status_socket_err,
	srtp_err_status_signal_err,
	srtp_err_status_nonce_bad,
	srtp_err_status_read_fail,
	srtp_err_status_write_fail,
	srtp_err_status_parse_err,
	srtp_err_status_encode_err,
	srtp_err_status_semaphore_err,
	srtp_err_status_pfkey_err,
	srtp_err_status_bad_mki,
	srtp_err_status_pkt_idx_old,
	srtp_err_status_pkt_idx_adv,
	/* New in version 3. */
	srtp_err_status_buffer_small,
	srtp_err_status_cryptex_err,
} srtp_err_status_t;

typedef enum
{
	srtp_profile_aes128_cm_sha1_80 = 1,
	srtp_profile_aes128_cm_sha1_32 = 2,
	srtp_profile_aead_aes_128_gcm  = 7,
	srtp_profile_aead_aes_256_gcm  = 8,
} srtp_profile_t;

typedef enum
{
	ssrc_undefined,
	ssrc_specific,
	ssrc_any_inbound,
	ssrc_any_outbound,
} srtp_ssrc_type_t;

typedef struct
{
	srtp_ssrc_type_t type;
	uint32_t value; /* host byte order */
} srtp_ssrc_t;

typedef enum
{
	event_ssrc_collision,
	event_key_soft_limit,
	event_key_hard_limit,
	event_packet_index_limit,
} srtp_event_t;

typedef struct srtp3_session* srtp_t;
typedef struct srtp3_policy* srtp_policy_t;

typedef struct
{
	srtp_t session;
	uint32_t ssrc; /* host byte order */
	srtp_event_t event;
} srtp_event_data_t;

typedef void(srtp_event_handler_func_t)(srtp_event_data_t* data);

srtp_err_status_t srtp_init(void);
srtp_err_status_t srtp_shutdown(void);
const char* srtp_get_version_string(void);
srtp_err_status_t srtp_install_event_handler(srtp_event_handler_func_t* handler);

size_t srtp_profile_get_master_key_length(srtp_profile_t profile);
size_t srtp_profile_get_master_salt_length(srtp_profile_t profile);

/* A policy is filled by the setters, the profile before the key, and read once by srtp_create. */
srtp_err_status_t srtp_policy_create(srtp_policy_t* policy);
void srtp_policy_destroy(srtp_policy_t policy);
srtp_err_status_t srtp_policy_set_ssrc(srtp_policy_t policy, srtp_ssrc_t ssrc);
srtp_err_status_t srtp_policy_set_profile(srtp_policy_t policy, srtp_profile_t profile);
/* One key without identifier: `mki` must be null. */
srtp_err_status_t srtp_policy_add_key(
  srtp_policy_t policy,
  const uint8_t* key,
  size_t key_len,
  const uint8_t* salt,
  size_t salt_len,
  const uint8_t* mki,
  size_t mki_len);
srtp_err_status_t srtp_policy_set_allow_repeat_tx(srtp_policy_t policy, bool allow);
srtp_err_status_t srtp_policy_set_window_size(srtp_policy_t policy, size_t packets);

srtp_err_status_t srtp_create(srtp_t* session, srtp_policy_t policy);
srtp_err_status_t srtp_dealloc(srtp_t session);
/* `ssrc` in network byte order. */
srtp_err_status_t srtp_stream_remove(srtp_t session, uint32_t ssrc);

/*
 * `*to_len` is the room in `to` before the call and the length of the result after it.
 * `to` may be `from`; otherwise they must not overlap.
 */
srtp_err_status_t srtp_protect(
  srtp_t session, const uint8_t* from, size_t from_len, uint8_t* to, size_t* to_len, size_t mki_index);
srtp_err_status_t srtp_unprotect(
  srtp_t session, const uint8_t* from, size_t from_len, uint8_t* to, size_t* to_len);
srtp_err_status_t srtp_protect_rtcp(
  srtp_t session, const uint8_t* from, size_t from_len, uint8_t* to, size_t* to_len, size_t mki_index);
srtp_err_status_t srtp_unprotect_rtcp(
  srtp_t session, const uint8_t* from, size_t from_len, uint8_t* to, size_t* to_len);

#ifdef __cplusplus
}
#endif

#endif
