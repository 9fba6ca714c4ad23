/*
 * anabranch: regression on streams. Includes every header but reach.h, which is for learners of your own that have
 * children. Each header can also be included alone.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_H
#define ANABRANCH_H

#include <anabranch/answer.h>
#include <anabranch/audit.h>
#include <anabranch/diagnostics.h>
#include <anabranch/drift.h>
#include <anabranch/explain.h>
#include <anabranch/features.h>
#include <anabranch/host.h>
#include <anabranch/importance.h>
#include <anabranch/interval.h>
#include <anabranch/learner.h>
#include <anabranch/learners.h>
#include <anabranch/loss.h>
#include <anabranch/metrics.h>
#include <anabranch/moe.h>
#include <anabranch/number.h>
#include <anabranch/observer.h>
#include <anabranch/pending.h>
#include <anabranch/pool.h>
#include <anabranch/quantile.h>
#include <anabranch/schema.h>
#include <anabranch/score.h>
#include <anabranch/sequence.h>
#include <anabranch/serve.h>
#include <anabranch/snapshot.h>
#include <anabranch/superposition.h>
#include <anabranch/type.h>
#include <anabranch/types.h>
#include <anabranch/utf8.h>
#include <anabranch/workers.h>

#endif
