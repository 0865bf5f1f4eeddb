/**
 * The forms of everything that goes over the wire, by subject: for validation, types and the OpenAPI document. Answers are the types of the
 * public interface (api.ts): an annotation holds each schema to its type, so the two cannot differ. Here: plain values, and errors.
 */
import { z } from '@hono/zod-openapi'
import type { Json, JsonObject } from '../../core/json.ts'
import { ERROR_CODES, type ErrorCode, isErrorCode, type WireError } from '../../errors.ts'
import type { Problem } from '../http-errors.ts'
import { maybe } from '../maybe.ts'

const isPresent = (value: unknown): boolean => value !== undefined
/** Any JSON: the body was checked as a whole (body.ts, B2). */
export const json: z.ZodType<Json> = z.any().refine(isPresent).openapi({ description: 'Any JSON value.' })
export const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), json)
export const time: z.ZodType<string> = z.string().openapi({ format: 'date-time' })
export const id: z.ZodType<string> = z.string().openapi({ format: 'uuid' })
export const vars: z.ZodType<{ [name: string]: string }> = z.record(z.string(), z.string())

export const errorCode: z.ZodType<ErrorCode> = z
  .custom<ErrorCode>((value) => typeof value === 'string' && isErrorCode(value))
  .openapi('ErrorCode', { type: 'string', enum: Object.keys(ERROR_CODES) })

export const wireError: z.ZodType<WireError> = z
  .object({ code: errorCode, message: z.string(), data: maybe(z.record(z.string(), z.unknown())) })
  .openapi('Error')

export const problem: z.ZodType<Problem> = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: errorCode,
    data: maybe(z.record(z.string(), z.unknown())),
  })
  .openapi('Problem', { description: 'RFC 9457, with the code of the error and the values behind it.' })
