package produce_test

import (
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// answerVersion is that of the requests, and so of their answers.
const answerVersion = 8

// drawAnswers returns answers of a broker, encoded by another client, and what
// they say.
func drawAnswers(t *rapid.T) (body []byte, want []produce.Answer, throttle time.Duration) {
	text := rapid.StringN(0, 20, -1)
	resp := kmsg.ProduceResponse{Version: answerVersion, ThrottleMillis: rapid.Int32Range(0, 1e6).Draw(t, "throttle")}
	for range rapid.IntRange(0, 3).Draw(t, "topics") {
		rt := kmsg.ProduceResponseTopic{Topic: text.Draw(t, "topic")}
		for range rapid.IntRange(0, 4).Draw(t, "partitions") {
			rp := kmsg.ProduceResponseTopicPartition{
				Partition: rapid.Int32().Draw(t, "partition"), ErrorCode: rapid.Int16().Draw(t, "code"),
				BaseOffset: rapid.Int64().Draw(t, "offset"), LogAppendTime: rapid.Int64().Draw(t, "time"), LogStartOffset: rapid.Int64().Draw(t, "start"),
			}
			a := produce.Answer{
				Topic: rt.Topic, Partition: rp.Partition, Code: sarama.KError(rp.ErrorCode), Offset: rp.BaseOffset, Culprits: map[int]string{},
			}
			if rapid.Bool().Draw(t, "has message") {
				a.Message = text.Draw(t, "message")
				rp.ErrorMessage = &a.Message
			}
			for i := range rapid.IntRange(0, 3).Draw(t, "culprits") {
				c := kmsg.ProduceResponseTopicPartitionErrorRecord{RelativeOffset: int32(7 * i)}
				if rapid.Bool().Draw(t, "has reason") {
					reason := text.Draw(t, "reason")
					c.ErrorMessage, a.Culprits[7*i] = &reason, reason
				} else {
					a.Culprits[7*i] = ""
				}
				rp.ErrorRecords = append(rp.ErrorRecords, c)
			}
			rt.Partitions = append(rt.Partitions, rp)
			want = append(want, a)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp.AppendTo(nil), want, time.Duration(resp.ThrottleMillis) * time.Millisecond
}

// Answers are read as they were written; a shorter or a longer one is none.
func TestAnswersAreReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body, want, throttle := drawAnswers(t)
		got, wait, err := produce.DecodeAnswers(body)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, throttle, wait)

		cut := rapid.IntRange(0, len(body)-1).Draw(t, "cut")
		_, _, err = produce.DecodeAnswers(body[:cut])
		require.Error(t, err)
		_, _, err = produce.DecodeAnswers(append(slices.Clip(body), 0))
		require.Error(t, err)
	})
}

// Whatever comes, it is read in bounded memory, or refused; what is accepted
// has no more answers than bytes.
func FuzzAnswers(f *testing.F) {
	message := "no"
	resp := kmsg.ProduceResponse{Version: answerVersion, Topics: []kmsg.ProduceResponseTopic{{
		Topic: topic, Partitions: []kmsg.ProduceResponseTopicPartition{{
			Partition: 3, ErrorCode: 87, ErrorMessage: &message,
			ErrorRecords: []kmsg.ProduceResponseTopicPartitionErrorRecord{{RelativeOffset: 2}},
		}},
	}}}
	f.Add(resp.AppendTo(nil))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 9})
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 0, 0, 0x7f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, body []byte) {
		got, _, err := produce.DecodeAnswers(body)
		const least = 30 // bytes of an answer
		require.LessOrEqual(t, len(got), 1+len(body)/least)
		if err == nil {
			return
		}
		require.ErrorContains(t, err, "malformed")
	})
}
