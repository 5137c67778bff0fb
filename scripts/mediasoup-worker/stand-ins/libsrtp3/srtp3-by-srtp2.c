/*
 * The calls that include/srtp.h declares, carried out by libsrtp 2.
 *
 * Version 2 describes a session by a struct with pointers where version 3 has an object with setters,
 * and works in place where version 3 takes two buffers. That header cannot be included here (its names
 * are version 2's too), so what crosses between the two is asserted below.
 */
#define _DEFAULT_SOURCE

#include <limits.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_BUFFER_SMALL ((srtp_err_status_t)28)
#define TRAILER_BYTES_MAX (16 + 128)
/* SRTCP also carries its 31-bit index and the encryption flag (RFC 3711 section 3.4). */
#define SRTCP_INDEX_BYTES 4

_Static_assert(sizeof(srtp_err_status_t) == sizeof(int), "size of an enumeration");
_Static_assert(srtp_err_status_alloc_fail == 3 && srtp_err_status_auth_fail == 7, "status values");
_Static_assert(srtp_err_status_replay_fail == 9 && srtp_err_status_replay_old == 10, "status values");
_Static_assert(srtp_err_status_bad_mki == 25 && srtp_err_status_pkt_idx_adv == 27, "status values");
_Static_assert(srtp_profile_aes128_cm_sha1_80 == 1 && srtp_profile_aes128_cm_sha1_32 == 2, "profiles");
_Static_assert(srtp_profile_aead_aes_128_gcm == 7 && srtp_profile_aead_aes_256_gcm == 8, "profiles");
_Static_assert(ssrc_specific == 1 && ssrc_any_inbound == 2 && ssrc_any_outbound == 3, "SSRC types");
_Static_assert(sizeof(srtp_ssrc_t) == 8 && offsetof(srtp_ssrc_t, value) == 4, "SSRC layout");
_Static_assert(event_ssrc_collision == 0 && event_packet_index_limit == 3, "event values");
_Static_assert(SRTP_MAX_TRAILER_LEN == TRAILER_BYTES_MAX, "trailer length");

struct srtp3_session
{
	srtp_t by;
};

struct srtp3_policy
{
	srtp_profile_t profile; /* 0 until set */
	srtp_ssrc_t ssrc;
	uint8_t key_and_salt[SRTP_MAX_KEY_LEN];
	size_t key_and_salt_len; /* 0 until set */
	size_t window_packets;
	bool allow_repeat_tx;
};

struct srtp3_event
{
	struct srtp3_session* session;
	uint32_t ssrc;
	int event;
};

typedef void (*event_handler)(struct srtp3_event* event);

/* One for the process, as in either version. */
static event_handler installed_handler;

static void pass_event_on(srtp_event_data_t* data)
{
	struct srtp3_event event = {
		.session = srtp_get_user_data(data->session),
		.ssrc    = data->ssrc,
		.event   = (int)data->event,
	};

	if (installed_handler)
	{
		installed_handler(&event);
	}
}

srtp_err_status_t srtp3_init(void)
{
	return srtp_init();
}

srtp_err_status_t srtp3_shutdown(void)
{
	return srtp_shutdown();
}

const char* srtp3_get_version_string(void)
{
	return srtp_get_version_string();
}

srtp_err_status_t srtp3_install_event_handler(event_handler handler)
{
	installed_handler = handler;

	return srtp_install_event_handler(pass_event_on);
}

size_t srtp3_profile_get_master_key_length(srtp_profile_t profile)
{
	return srtp_profile_get_master_key_length(profile);
}

size_t srtp3_profile_get_master_salt_length(srtp_profile_t profile)
{
	return srtp_profile_get_master_salt_length(profile);
}

srtp_err_status_t srtp3_policy_create(struct srtp3_policy** policy)
{
	if (!policy)
	{
		return srtp_err_status_bad_param;
	}

	*policy = calloc(1, sizeof **policy);

	return *policy ? srtp_err_status_ok : srtp_err_status_alloc_fail;
}

void srtp3_policy_destroy(struct srtp3_policy* policy)
{
	if (policy)
	{
		explicit_bzero(policy, sizeof *policy);
		free(policy);
	}
}

srtp_err_status_t srtp3_policy_set_ssrc(struct srtp3_policy* policy, srtp_ssrc_t ssrc)
{
	if (!policy)
	{
		return srtp_err_status_bad_param;
	}

	policy->ssrc = ssrc;

	return srtp_err_status_ok;
}

srtp_err_status_t srtp3_policy_set_profile(struct srtp3_policy* policy, srtp_profile_t profile)
{
	srtp_crypto_policy_t known;

	if (!policy || srtp_crypto_policy_set_from_profile_for_rtp(&known, profile) != srtp_err_status_ok)
	{
		return srtp_err_status_bad_param;
	}

	policy->profile = profile;

	return srtp_err_status_ok;
}

srtp_err_status_t srtp3_policy_add_key(
  struct srtp3_policy* policy,
  const uint8_t* key,
  size_t key_len,
  const uint8_t* salt,
  size_t salt_len,
  const uint8_t* mki,
  size_t mki_len)
{
	if (!policy || !policy->profile || policy->key_and_salt_len || !key || !salt || mki || mki_len)
	{
		return srtp_err_status_bad_param;
	}

	if (
	  key_len != srtp_profile_get_master_key_length(policy->profile) ||
	  salt_len != srtp_profile_get_master_salt_length(policy->profile) ||
	  key_len + salt_len > sizeof policy->key_and_salt)
	{
		return srtp_err_status_bad_param;
	}

	memcpy(policy->key_and_salt, key, key_len);
	memcpy(policy->key_and_salt + key_len, salt, salt_len);
	policy->key_and_salt_len = key_len + salt_len;

	return srtp_err_status_ok;
}

srtp_err_status_t srtp3_policy_set_allow_repeat_tx(struct srtp3_policy* policy, bool allow)
{
	if (!policy)
	{
		return srtp_err_status_bad_param;
	}

	policy->allow_repeat_tx = allow;

	return srtp_err_status_ok;
}

srtp_err_status_t srtp3_policy_set_window_size(struct srtp3_policy* policy, size_t packets)
{
	if (!policy)
	{
		return srtp_err_status_bad_param;
	}

	policy->window_packets = packets;

	return srtp_err_status_ok;
}

/* Version 2's description of `policy`. It points into `policy`, which must outlive its use. */
static srtp_err_status_t describe(struct srtp3_policy* policy, srtp_policy_t* description)
{
	memset(description, 0, sizeof *description);

	srtp_err_status_t status =
	  srtp_crypto_policy_set_from_profile_for_rtp(&description->rtp, policy->profile);

	if (status == srtp_err_status_ok)
	{
		status = srtp_crypto_policy_set_from_profile_for_rtcp(&description->rtcp, policy->profile);
	}

	if (status != srtp_err_status_ok)
	{
		return status;
	}

	/* Version 2 takes these lengths on trust and would read past a shorter key. */
	if (
	  (size_t)description->rtp.cipher_key_len != policy->key_and_salt_len ||
	  (size_t)description->rtcp.cipher_key_len != policy->key_and_salt_len)
	{
		return srtp_err_status_bad_param;
	}

	description->ssrc            = policy->ssrc;
	description->key             = policy->key_and_salt;
	description->window_size     = policy->window_packets;
	description->allow_repeat_tx = policy->allow_repeat_tx;

	return srtp_err_status_ok;
}

srtp_err_status_t srtp3_create(struct srtp3_session** session, struct srtp3_policy* policy)
{
	if (!session || !policy || !policy->profile || !policy->key_and_salt_len)
	{
		return srtp_err_status_bad_param;
	}

	srtp_policy_t description;
	srtp_err_status_t status = describe(policy, &description);

	if (status != srtp_err_status_ok)
	{
		return status;
	}

	struct srtp3_session* created = calloc(1, sizeof *created);

	if (!created)
	{
		return srtp_err_status_alloc_fail;
	}

	status = srtp_create(&created->by, &description);

	if (status != srtp_err_status_ok)
	{
		free(created);

		return status;
	}

	srtp_set_user_data(created->by, created);
	*session = created;

	return srtp_err_status_ok;
}

srtp_err_status_t srtp3_dealloc(struct srtp3_session* session)
{
	if (!session)
	{
		return srtp_err_status_bad_param;
	}

	const srtp_err_status_t status = srtp_dealloc(session->by);

	if (status == srtp_err_status_ok)
	{
		free(session);
	}

	return status;
}

srtp_err_status_t srtp3_stream_remove(struct srtp3_session* session, uint32_t ssrc)
{
	return session ? srtp_remove_stream(session->by, ssrc) : srtp_err_status_bad_param;
}

typedef srtp_err_status_t (*in_place_call)(srtp_t session, void* packet, int* packet_len);

/* Copies `from` to `to` unless they are one, and lets `call` change it there by at most `growth` bytes. */
static srtp_err_status_t transform(
  struct srtp3_session* session,
  in_place_call call,
  size_t growth,
  const uint8_t* from,
  size_t from_len,
  uint8_t* to,
  size_t* to_len)
{
	if (!session || !from || !to || !to_len || from_len > INT_MAX - growth)
	{
		return srtp_err_status_bad_param;
	}

	if (*to_len < from_len + growth)
	{
		return STATUS_BUFFER_SMALL;
	}

	if (to != from)
	{
		memcpy(to, from, from_len);
	}

	int packet_len                 = (int)from_len;
	const srtp_err_status_t status = call(session->by, to, &packet_len);

	if (status == srtp_err_status_ok)
	{
		*to_len = (size_t)packet_len;
	}

	return status;
}

srtp_err_status_t srtp3_protect(
  struct srtp3_session* session,
  const uint8_t* from,
  size_t from_len,
  uint8_t* to,
  size_t* to_len,
  size_t mki_index)
{
	if (mki_index != 0)
	{
		return srtp_err_status_bad_mki;
	}

	return transform(session, srtp_protect, TRAILER_BYTES_MAX, from, from_len, to, to_len);
}

srtp_err_status_t srtp3_unprotect(
  struct srtp3_session* session, const uint8_t* from, size_t from_len, uint8_t* to, size_t* to_len)
{
	return transform(session, srtp_unprotect, 0, from, from_len, to, to_len);
}

srtp_err_status_t srtp3_protect_rtcp(
  struct srtp3_session* session,
  const uint8_t* from,
  size_t from_len,
  uint8_t* to,
  size_t* to_len,
  size_t mki_index)
{
	if (mki_index != 0)
	{
		return srtp_err_status_bad_mki;
	}

	const size_t growth = TRAILER_BYTES_MAX + SRTCP_INDEX_BYTES;

	return transform(session, srtp_protect_rtcp, growth, from, from_len, to, to_len);
}

srtp_err_status_t srtp3_unprotect_rtcp(
  struct srtp3_session* session, const uint8_t* from, size_t from_len, uint8_t* to, size_t* to_len)
{
	return transform(session, srtp_unprotect_rtcp, 0, from, from_len, to, to_len);
}
